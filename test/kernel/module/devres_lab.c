// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI driver whose probe and remove are a program: ../README.md has its operations. The parameters `program` and
 * `driver` are set before a bind; `state` can be read at any time. Nothing binds by itself: the driver has no ids.
 *
 * What it does is told in the kernel's log, in lines "lab: ...", which ../lab/events.py reads among the kernel's own.
 * Programs leave the device in any state, and die in any function: all that a handler or a group refers to is static.
 */
#define pr_fmt(fmt) "lab: " fmt

#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/module.h>
#include <linux/pci.h>

#define MAX_DRIVERS 17 /* 16 of a program and the one of the rebind */
#define MAX_VECTORS 64 /* more than the devices have */
#define MAX_GROUPS 1024 /* more than a program has operations */

struct handler {
	unsigned int calls;
	char name[8];
};

struct group {
	bool open;
};

struct driver_state {
	int vectors; /* of the last successful allocation */
	int irq[MAX_VECTORS];
	struct group group[MAX_GROUPS]; /* opened without a number; an element's address is the id */
	struct group *left[MAX_GROUPS]; /* of these, the ones that are neither released nor removed */
	int groups, groups_left;
};

static char program[1024];
module_param_string(program, program, sizeof(program), 0600);
static unsigned int driver;
module_param(driver, uint, 0600);

static struct handler handlers[MAX_DRIVERS][MAX_VECTORS];
static struct driver_state states[MAX_DRIVERS];
static char numbered_group[10];

/* The numbers of vectors that any driver found. */
static int numbers[MAX_DRIVERS * MAX_VECTORS];
static int numbers_count;

static struct pci_dev *device;
static void __iomem *registers; /* while vectors are fired */

#define ROCKER_TEST_IRQ 0x20
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACKNOWLEDGE 0x64

static bool is_rocker(void)
{
	return device->vendor == PCI_VENDOR_ID_REDHAT;
}

static void acknowledge(void)
{
	if (registers && !is_rocker())
		writel(readl(registers + EDU_IRQ_STATUS), registers + EDU_IRQ_ACKNOWLEDGE);
}

static irqreturn_t on_interrupt(int irq, void *dev_id)
{
	struct handler *handler = dev_id;

	acknowledge();
	handler->calls++;
	return IRQ_HANDLED;
}

static int fire(struct pci_dev *pdev, const struct driver_state *state)
{
	int v, wait;

	registers = pci_iomap(pdev, 0, 0);
	if (!registers)
		return -ENOMEM;
	for (v = 0; v < state->vectors; v++) {
		const unsigned int *calls = &handlers[driver][v].calls;
		unsigned int before = READ_ONCE(*calls);

		if (is_rocker())
			writel(v, registers + ROCKER_TEST_IRQ);
		else
			writel(1, registers + EDU_IRQ_RAISE);
		for (wait = 0; wait < 10 && READ_ONCE(*calls) == before; wait++)
			usleep_range(100, 200);
		acknowledge();
		pr_info("fire %d %u\n", v, READ_ONCE(*calls) - before);
	}
	pci_iounmap(pdev, registers);
	registers = NULL;
	return 0;
}

static int print_state(char *buffer, size_t size)
{
	int vectors = 0, registered = 0, i;

	for (i = 0; i < numbers_count; i++) {
		struct irq_data *data = irq_get_irq_data(numbers[i]);
		const struct irqaction *action;

		if (!data)
			continue;
		vectors++;
		for (action = irq_data_to_desc(data)->action; action; action = action->next)
			registered += action->handler == on_interrupt;
	}
	return scnprintf(buffer, size,
			 "state vectors_live=%d handlers_live=%d msix_enabled=%d msi_enabled=%d "
			 "is_managed=%d is_msi_managed=%d enable_cnt=%d\n",
			 vectors, registered, device->msix_enabled, device->msi_enabled,
			 device->is_managed, device->is_msi_managed, atomic_read(&device->enable_cnt));
}

static int state_get(char *buffer, const struct kernel_param *unused)
{
	return print_state(buffer, PAGE_SIZE);
}

static const struct kernel_param_ops state_ops = { .get = state_get };
module_param_cb(state, &state_ops, NULL, 0400);

static void add_number(int irq)
{
	int i;

	for (i = 0; i < numbers_count; i++)
		if (numbers[i] == irq)
			return;
	if (irq > 0 && numbers_count < ARRAY_SIZE(numbers))
		numbers[numbers_count++] = irq;
}

static void look_up(struct pci_dev *pdev, struct driver_state *state)
{
	int v;

	for (v = 0; v < state->vectors; v++) {
		state->irq[v] = pci_irq_vector(pdev, v);
		add_number(state->irq[v]);
	}
}

static int allocate(struct pci_dev *pdev, struct driver_state *state, int min, int max, unsigned int types)
{
	int vectors = pci_alloc_irq_vectors(pdev, min, max, types);

	if (vectors > 0) {
		state->vectors = min(vectors, MAX_VECTORS);
		look_up(pdev, state);
	}
	return vectors;
}

static int request_all(struct pci_dev *pdev, struct driver_state *state, bool managed)
{
	int v, error;

	for (v = 0; v < state->vectors; v++) {
		struct handler *handler = &handlers[driver][v];

		pr_info("requesting %d\n", v);
		if (managed)
			error = devm_request_irq(&pdev->dev, state->irq[v], on_interrupt, 0, handler->name, handler);
		else
			error = request_irq(state->irq[v], on_interrupt, 0, handler->name, handler);
		if (error)
			return error;
	}
	return 0;
}

static void free_all(struct pci_dev *pdev, struct driver_state *state, bool managed)
{
	int v;

	for (v = 0; v < state->vectors; v++) {
		if (managed)
			devm_free_irq(&pdev->dev, state->irq[v], &handlers[driver][v]);
		else
			free_irq(state->irq[v], &handlers[driver][v]);
	}
}

static int open_group(struct device *dev, struct driver_state *state, int number)
{
	struct group *group;

	if (number >= 0)
		return devres_open_group(dev, &numbered_group[number], GFP_KERNEL) ? 0 : -ENOMEM;
	group = &state->group[state->groups];
	if (!devres_open_group(dev, group, GFP_KERNEL))
		return -ENOMEM;
	group->open = true;
	state->groups++;
	state->left[state->groups_left++] = group;
	return 0;
}

static void close_group(struct device *dev, struct driver_state *state, int number)
{
	struct group *youngest = NULL;
	int i;

	for (i = 0; i < state->groups_left; i++)
		if (state->left[i]->open)
			youngest = state->left[i];
	if (number < 0 && youngest)
		youngest->open = false;
	devres_close_group(dev, number >= 0 ? (void *)&numbered_group[number] : youngest);
}

/* The id of the group to release or remove. */
static void *take_group(struct driver_state *state, int number)
{
	if (number >= 0)
		return &numbered_group[number];
	return state->groups_left ? state->left[--state->groups_left] : NULL;
}

static void marker(void *number)
{
}

/* One operation; number is -1 if it has none. Returns 0 or more, or -errno. */
static int perform(struct pci_dev *pdev, struct driver_state *state, char operation, int number)
{
	struct device *dev = &pdev->dev;
	char text[200];

	switch (operation) {
	case 'E':
		return pcim_enable_device(pdev);
	case 'e':
		return pci_enable_device(pdev);
	case 'd':
		pci_disable_device(pdev);
		return 0;
	case 'B':
		pci_set_master(pdev);
		return 0;
	case 'A':
	case 'a':
		return allocate(pdev, state, number, number, PCI_IRQ_MSIX | PCI_IRQ_MSI);
	case 'i':
		return allocate(pdev, state, 1, number, PCI_IRQ_ALL_TYPES);
	case 'F':
		pci_free_irq_vectors(pdev);
		return 0;
	case 'I':
		look_up(pdev, state);
		return 0;
	case 'Q':
	case 'q':
		return request_all(pdev, state, operation == 'Q');
	case 'V':
	case 'f':
		free_all(pdev, state, operation == 'V');
		return 0;
	case 'M':
	case 'm':
		pdev->is_msi_managed = operation == 'M';
		return 0;
	case 'G':
		return open_group(dev, state, number);
	case 'g':
		close_group(dev, state, number);
		return 0;
	case 'R':
		devres_release_group(dev, take_group(state, number));
		return 0;
	case 'r':
		devres_remove_group(dev, take_group(state, number));
		return 0;
	case 'K':
		return devm_add_action(dev, marker, (void *)(long)number);
	case 'T':
		return fire(pdev, state);
	case 'P':
		print_state(text, sizeof(text));
		pr_info("%s", text);
		return 0;
	case 'X':
		return -EIO;
	default:
		return -ENOSYS;
	}
}

/* Runs the operations up to a colon or the end. With stop, the first that fails is the last, and returns its error. */
static int run(struct pci_dev *pdev, const char *operations, bool stop)
{
	struct driver_state *state = &states[driver];
	int result;

	while (*operations && *operations != ':') {
		char operation = *operations++;
		int number = -1;

		if (isdigit(*operations)) {
			char *end;

			number = simple_strtol(operations, &end, 10);
			operations = end;
			pr_info("> %c%d\n", operation, number);
		} else {
			pr_info("> %c\n", operation);
		}
		result = perform(pdev, state, operation, number);
		pr_info("< %d\n", result);
		if (result < 0 && stop)
			return result;
	}
	return 0;
}

static int lab_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int error = run(pdev, program, true);

	pr_info("probe %d\n", error);
	return error;
}

static void lab_remove(struct pci_dev *pdev)
{
	const char *colon = strchr(program, ':');

	if (colon)
		run(pdev, colon + 1, false);
}

static struct pci_driver lab_driver = {
	.name = "devres_lab",
	.probe = lab_probe,
	.remove = lab_remove,
};

static int __init lab_init(void)
{
	int d, v;

	device = pci_get_device(PCI_VENDOR_ID_REDHAT, 0x0006, NULL);
	if (!device)
		device = pci_get_device(0x1234, 0x11e8, NULL);
	if (!device)
		return -ENODEV;
	for (d = 0; d < MAX_DRIVERS; d++)
		for (v = 0; v < MAX_VECTORS; v++)
			snprintf(handlers[d][v].name, sizeof(handlers[d][v].name), "lab%d", v);
	pr_info("handlers %px %zu %d %d\n", handlers, sizeof(struct handler), MAX_VECTORS, MAX_DRIVERS);
	return pci_register_driver(&lab_driver);
}
module_init(lab_init);

MODULE_DESCRIPTION("Interprets programs of device resource operations");
MODULE_LICENSE("GPL");
