// SPDX-License-Identifier: BSL-1.0
/* Two drivers in one module, that enable their devices differently. */
#include <linux/pci.h>

static int first_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	return err ? err : pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
}

static void first_remove(struct pci_dev *pdev)
{

}

struct pci_driver first_driver = {
	.name = "first",
	.probe = first_probe,
	.remove = first_remove,
};
