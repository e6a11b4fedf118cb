// SPDX-License-Identifier: BSL-1.0
/* A devm action frees the vectors: older than the handler, so it runs after that has gone. */
#include <linux/pci.h>

static void action_free(void *data)
{
	pci_free_irq_vectors(data);
}

static int action_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (err < 0)
		return err;
	err = devm_add_action_or_reset(&pdev->dev, action_free, pdev);
	if (err)
		return err;
	return devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), action_irq, action_flags, "action", pdev);
}

static struct pci_driver action_driver = {
	.name = "action",
	.id_table = action_ids,
	.probe = action_probe,
};
module_pci_driver(action_driver);
