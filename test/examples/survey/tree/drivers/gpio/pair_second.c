// SPDX-License-Identifier: BSL-1.0
/* Two drivers in one module, that enable their devices differently. */
#include <linux/pci.h>

static int second_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pci_enable_device(pdev);

	return err ? err : pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
}

static void second_remove(struct pci_dev *pdev)
{
	pci_free_irq_vectors(pdev);
	pci_disable_device(pdev);
}

struct pci_driver second_driver = {
	.name = "second",
	.probe = second_probe,
	.remove = second_remove,
};
