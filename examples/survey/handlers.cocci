// SPDX-License-Identifier: BSL-1.0
// Managed handlers on interrupt vectors that a hand frees: they outlive the vectors unless devm_free_irq() goes before.
//
//   spatch --sp-file handlers.cocci --dir drivers/misc
//
// Marks the requests, and the frees. Knows one file at a time, and not in which order a remove does things.
@managed@
@@
(
devm_request_irq(...)
|
devm_request_threaded_irq(...)
|
devm_request_any_context_irq(...)
)

@freed@
@@
(
pci_free_irq_vectors(...)
|
pci_disable_msi(...)
|
pci_disable_msix(...)
)

@depends on managed && freed@
@@
(
* devm_request_irq(...)
|
* devm_request_threaded_irq(...)
|
* devm_request_any_context_irq(...)
|
* pci_free_irq_vectors(...)
|
* pci_disable_msi(...)
|
* pci_disable_msix(...)
)
