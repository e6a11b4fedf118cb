// SPDX-License-Identifier: BSL-1.0
/* A macro frees; what stands in a macro counts where it is defined. */
#include <linux/pci.h>

#define give_back(pdev)				\
	do {					\
		pci_disable_msix(pdev);		\
	} while (0)

static int macro_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	return err ? err : pci_enable_msix_range(pdev, macro_entries, 1, 4);
}

static void macro_remove(struct pci_dev *pdev)
{
	give_back(pdev);
}

static struct pci_driver macro_driver = {
	.name = "macro",
	.id_table = macro_ids,
	.probe = macro_probe,
	.remove = macro_remove,
};
module_pci_driver(macro_driver);
