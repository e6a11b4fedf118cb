// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Platforms for tests that stand on any other platform: what happens on it (`traced`), what if a step of it
/// fails (`faulty`), what if the device interrupts just then (`interrupting`), and each of these at every step.
#include <devres/core/requirements.hpp>
#include <devres/hana.hpp>  // first: where Boost is missing, that is said in one line

#include <devres/testing/chart_svg.hpp>
#include <devres/testing/chart_text.hpp>
#include <devres/testing/explore_faults.hpp>
#include <devres/testing/explore_interrupts.hpp>
#include <devres/testing/faulty.hpp>
#include <devres/testing/interrupting.hpp>
#include <devres/testing/lifetimes.hpp>
#include <devres/testing/trace.hpp>
#include <devres/testing/trace_json.hpp>
#include <devres/testing/trace_text.hpp>
#include <devres/testing/traced.hpp>
