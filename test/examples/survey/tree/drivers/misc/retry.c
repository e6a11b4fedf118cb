// SPDX-License-Identifier: BSL-1.0
/* Too few vectors are given back, and one is asked for. */
#include <linux/pci.h>

static int retry_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = pci_alloc_irq_vectors(pdev, 1, 4, PCI_IRQ_MSIX);
	if (err == 4)
		return 0;
	pci_free_irq_vectors(pdev);
	return pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
}

static void retry_remove(struct pci_dev *pdev)
{
}

static struct pci_driver retry_driver = {
	.name = "retry",
	.id_table = retry_ids,
	.probe = retry_probe,
	.remove = retry_remove,
};
module_pci_driver(retry_driver);
