// SPDX-License-Identifier: BSL-1.0
/* A module of three files and a header: what it does with its vectors is in the others. */
#include <linux/pci.h>
#include "hub.h"

static int hub_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	return hub_interrupts(pdev);
}

static void hub_remove(struct pci_dev *pdev)
{
	hub_teardown(pdev);
}

static struct pci_driver hub_driver = {
	.name = "hub",
	.id_table = hub_ids,
	.probe = hub_probe,
	.remove = &hub_remove,
	.shutdown = hub_shutdown,
	.driver = { .pm = pm_sleep_ptr(&hub_pm) },
};
module_pci_driver(hub_driver);
