// SPDX-License-Identifier: BSL-1.0
#include <linux/irq.h>
#include "../hub.h"

static void hub_netpoll(struct net_device *dev)
{
	disable_irq(dev->irq);
	enable_irq(dev->irq);
}
