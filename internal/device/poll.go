package device

import "golang.org/x/sys/unix"

// Whoever polls a descriptor sleeps in the kernel, which has left us a poll handle. Waking is telling the kernel that
// handle: every sleeper then asks again, and gets the truth as it is then. So it does no harm to wake once too often, and
// once is enough until somebody has asked again.

const (
	readNormal  = 0x40 // POLLRDNORM
	writeNormal = 0x100

	readable = unix.POLLIN | readNormal
	writable = unix.POLLOUT | writeNormal
	gone     = unix.POLLERR | unix.POLLHUP
)

func (k *Ksock) poll(pollHandle uint64, notify bool) (ready uint32) {
	if k.ended {
		return gone
	}
	sending := k.file.Ksock.Sending()
	r, w := k.file.Poll()
	if sending && !k.file.Ksock.Sending() { // another thread may poll for that
		k.Wake()
	}
	if notify {
		k.pollHandle, k.armed = pollHandle, true
	}
	if r {
		ready = readable
	}
	if w {
		ready |= writable
	}
	return ready
}

// Wake notes that what is ready may have changed.
func (k *Ksock) Wake() {
	if k.armed && !k.waking {
		k.waking = true
		k.device.woken = append(k.device.woken, k)
	}
}

// Wake tells the kernel whom to wake. It is for when the caller has been answered.
func (d *Device) Wake() {
	for i, k := range d.woken {
		d.woken[i] = nil
		k.waking = false
		if k.armed {
			k.armed = false
			d.conn.Wake(k.pollHandle)
		}
	}
	d.woken = d.woken[:0]
}
