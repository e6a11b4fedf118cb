// SPDX-License-Identifier: BSL-1.0
/* The driver enables and frees all by hand. */
#include <linux/pci.h>

static int explicit_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pci_enable_device(pdev);

	if (err)
		return err;
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 4, PCI_IRQ_MSIX);
	if (err < 0)
		goto disable;
	err = request_irq(pci_irq_vector(pdev, 0), explicit_irq, IRQF_SHARED, "explicit", pdev);
	if (err)
		goto free;
	return 0;
free:
	pci_free_irq_vectors(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void explicit_remove(struct pci_dev *pdev)
{
	free_irq(pci_irq_vector(pdev, 0), pdev);
	pci_free_irq_vectors(pdev);
	pci_disable_device(pdev);
}

static struct pci_driver explicit_driver = {
	.name = "explicit",
	.id_table = explicit_ids,
	.probe = explicit_probe,
	.remove = explicit_remove,
};
module_pci_driver(explicit_driver);
