// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// The paths of paths.h, written with devres.
namespace devres::benchmarks {

void actions(unsigned count);
void removals(unsigned count);
void releases(unsigned count);
void group_of(unsigned count);
void unmanaged_vectors(unsigned count);
void unmanaged_handlers(unsigned count);
void managed_vectors(unsigned count);
void managed_handlers(unsigned count);

/// A whole life of a driver that has devres own an enable, a BAR, DMA memory, a vector, its data, a handler and an action.
void managed_driver(unsigned);

/// The bytes that a release list asks for when `count` actions are added to it.
std::size_t bytes_of_actions(std::size_t count);

/// A whole life of the Switchtec driver on the simulated bus: bound and unbound, and the same steps made by hand.
void switchtec_bound();
void switchtec_by_hand();

/// The same of the VMD driver, with the children of its model; always called with the same number of vectors.
void vmd_bound(unsigned vectors);

/// `count` eventfds are signalled and their handlers called: by the vfio platform's loop, and by one that is told of a
/// level and reads each eventfd.
void edge_events(unsigned count);
void level_events(unsigned count);

/// What a simulated machine costs as it grows: `count` functions are added; are found, each by its address (the first call
/// makes them); are held, and the ledger read; come from a dump, with 33 vectors each, and are bound, interrupted and unbound by
/// the lspci example. Of one function: `count` DMA mappings made, used and undone, oldest first; as many handlers traced.
void functions_added(unsigned count);
void functions_found(unsigned count);
void ledger_read(unsigned count);
void machine_exercised(unsigned count);
void dma_mapped(unsigned count);
void handlers_traced(unsigned count);

/// A program replayed on a model of Linux that is made for it.
void replayed(unsigned);

}  // namespace devres::benchmarks
