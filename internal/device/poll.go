package device

import "golang.org/x/sys/unix"

// A program that polls a descriptor sleeps in the kernel, which has given us a poll handle. To wake it we give the
// handle back: every sleeper then asks again and gets the truth of that moment. So it does no harm to wake once too
// often, and once is enough until the next program asks.

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

// Wake gives the kernel the poll handles to wake. Call it after the caller's own answer.
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
