// SPDX-License-Identifier: BSL-1.0
/* Speaks of a struct pci_driver, and has none. */
extern struct pci_driver *somebodys_driver;
