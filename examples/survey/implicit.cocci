// SPDX-License-Identifier: BSL-1.0
// Interrupt vectors that no hand frees: pcim_enable_device() has made devres free them.
//
//   spatch --sp-file implicit.cocci --dir drivers/misc
//
// Marks each such allocation. Knows one file at a time: a free in another file of the module is not seen.
@managed@
@@
pcim_enable_device(...)

@freed@
@@
(
pci_free_irq_vectors(...)
|
pci_disable_msi(...)
|
pci_disable_msix(...)
)

@depends on managed && !freed@
@@
(
* pci_alloc_irq_vectors(...)
|
* pci_alloc_irq_vectors_affinity(...)
|
* pci_enable_msi(...)
|
* pci_enable_msix_range(...)
|
* pci_enable_msix_exact(...)
)
