// SPDX-License-Identifier: BSL-1.0
#include <linux/pci.h>
#include "hub.h"

int hub_interrupts(struct pci_dev *pdev)
{
	int err = pci_alloc_irq_vectors(pdev, 1, 8, PCI_IRQ_MSIX);

	return err < 0 ? err : devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), hub_irq, 0, "hub", pdev);
}
