// SPDX-License-Identifier: BSL-1.0
/* Stands beside the module, and is not part of it. */
static void unrelated(struct pci_dev *pdev)
{
	synchronize_irq(pdev->irq);
}
