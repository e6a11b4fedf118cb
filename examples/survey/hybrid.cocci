// SPDX-License-Identifier: BSL-1.0
// A hand frees interrupt vectors that devres frees, too: the file enables its device with pcim_enable_device().
//
//   spatch --sp-file hybrid.cocci --dir drivers/misc
//
// Marks each such free. Knows one file at a time: a module of several files may be hybrid where none of its files is.
@managed@
@@
pcim_enable_device(...)

@depends on managed@
@@
(
* pci_free_irq_vectors(...)
|
* pci_disable_msi(...)
|
* pci_disable_msix(...)
)
