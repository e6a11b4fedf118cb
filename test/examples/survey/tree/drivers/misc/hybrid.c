// SPDX-License-Identifier: BSL-1.0
/* Handlers and vectors by hand, though devres frees the vectors. */
#include <linux/pci.h>

static void
hybrid_undo(struct pci_dev *pdev)
{
	free_irq(pci_irq_vector(pdev, 0), pdev);
	pci_free_irq_vectors(pdev);
}

static int hybrid_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), hybrid_irq, 0, "hybrid", pdev);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static void hybrid_remove(struct pci_dev *pdev)
{
	hybrid_undo(pdev);
}

static struct pci_driver hybrid_driver = {
	.name = "hybrid",
	.id_table = hybrid_ids,
	.probe = hybrid_probe,
	.remove = hybrid_remove,
};
module_pci_driver(hybrid_driver);
