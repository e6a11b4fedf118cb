// SPDX-License-Identifier: BSL-1.0
/* Only the path of an error frees, under a handler that devres has. */
#include <linux/pci.h>

static int failing_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = pci_alloc_irq_vectors_affinity(pdev, 2, 8, PCI_IRQ_MSIX | PCI_IRQ_AFFINITY, &failing_affinity);
	if (err < 0)
		return err;
	err = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), failing_irq, 0, "failing", pdev);
	if (!err)
		err = failing_register(pdev);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static void failing_remove(struct pci_dev *pdev)
{
}

static struct pci_driver failing_driver = {
	.name = "failing",
	.id_table = failing_ids,
	.probe = failing_probe,
	.remove = failing_remove,
};
module_pci_driver(failing_driver);
