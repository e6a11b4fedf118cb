// SPDX-License-Identifier: BSL-1.0
/* A library enables the device. */
#include <linux/pci.h>

static struct pci_driver helped_driver = {
	.probe = library_probe,
	.remove = library_remove,
	.err_handler = &library_errors,
};
