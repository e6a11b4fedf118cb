// SPDX-License-Identifier: BSL-1.0
static inline void hub_teardown(struct pci_dev *pdev)
{
	pci_free_irq_vectors(pdev);
}
int hub_interrupts(struct pci_dev *pdev);
