// SPDX-License-Identifier: BSL-1.0
/* The core lends its driver: no driver of a device. */
#include <linux/pci.h>

static struct pci_driver stub_driver = {
	.probe = library_probe,
	.remove = library_remove,
	.err_handler = &library_errors,
};
