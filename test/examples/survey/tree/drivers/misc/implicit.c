// SPDX-License-Identifier: BSL-1.0
/* devres frees all; pci_free_irq_vectors(pdev) in a comment frees nothing. */
#include <linux/pci.h>

static int implicit_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev); // and not pci_free_irq_vectors(pdev);

	if (err)
		return err;
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 4, 4, PCI_IRQ_MSIX);
	if (err < 0)
		return dev_err_probe(&pdev->dev, err, "pci_alloc_irq_vectors(\"4\"), not pci_free_irq_vectors()\n");
#if 0
#ifdef CONFIG_IMPLICIT
	pci_free_irq_vectors(pdev);
#else
	pci_disable_msi(pdev);
#endif
#endif
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), implicit_irq, 0, "implicit", pdev);
}

static void implicit_remove(struct pci_dev *pdev)
{
	struct implicit *own = pci_get_drvdata(pdev);

	own->ops->pci_free_irq_vectors(pdev);	/* a member of that name */
}

static struct pci_driver implicit_driver = {
	.name = "implicit",
	.id_table = implicit_ids,
	.probe = implicit_probe,
	.remove = implicit_remove,
};
module_pci_driver(implicit_driver);
