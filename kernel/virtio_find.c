/*
 * Which transport has the device; the manual is virtio.h.
 */
#include "kernel/virtio.h"

const char VIRTIO_NONE[] = "there is no such virtio device";

const char *virtio_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	const char *pci = virtio_pci_find(kind, dev);
	const char *mmio;

	if (pci == NULL)
		return NULL;
	mmio = virtio_mmio_find(kind, dev);
	if (mmio == NULL)
		return NULL;
	return pci != VIRTIO_NONE ? pci : mmio;
}
