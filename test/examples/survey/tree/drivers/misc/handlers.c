// SPDX-License-Identifier: BSL-1.0
/* The vectors go by hand, under handlers that devres has; and the device is disabled by hand, too. */
#include <linux/pci.h>

static int handlers_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 4, 4, PCI_IRQ_MSIX);
	if (err < 0)
		return err;
	return devm_request_threaded_irq(&pdev->dev, pci_irq_vector(pdev, 0), NULL, handlers_thread, IRQF_ONESHOT,
					 "handlers", pdev);
}

static void handlers_remove(struct pci_dev *pdev)
{
	pci_free_irq_vectors(pdev);
	pci_disable_device(pdev);
}

static struct pci_driver handlers_driver = {
	.name = "handlers",
	.id_table = handlers_ids,
	.probe = handlers_probe,
	.remove = handlers_remove,
};
module_pci_driver(handlers_driver);
