// SPDX-License-Identifier: BSL-1.0
/* Nobody frees. */
#include <linux/pci.h>

static int unfreed_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pci_enable_device_mem(pdev);

	return err ? err : pci_enable_msi(pdev);
}

static void unfreed_remove(struct pci_dev *pdev)
{
	pci_disable_device(pdev);
}

static struct pci_driver unfreed_driver = {
	.name = "unfreed",
	.id_table = unfreed_ids,
	.probe = unfreed_probe,
	.remove = unfreed_remove,
};
module_pci_driver(unfreed_driver);
