package handover

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/form"
)

// The side of the daemon that runs.

// ReceiveHello waits for the hello, and gives the version of the new daemon. An error if it does not read our form.
func (c *Conn) ReceiveHello() (version string, err error) {
	w, fds, err := c.receive("hello")
	closeAll(fds)
	if err != nil {
		return "", err
	}
	if writes, _ := Forms(); writes < w.Oldest || writes > w.Newest {
		return "", fmt.Errorf("%s reads the state of a daemon in forms %d to %d, and that of this one is form %d",
			w.Version, w.Oldest, w.Newest, writes)
	}
	return w.Version, nil
}

// SendState sends the state, which write writes, and the descriptors, which stay ours, and waits until the new daemon is ready.
func (c *Conn) SendState(write func(*form.Coder), fds []int) error {
	file, bytes, err := encode(write)
	if err != nil {
		return err
	}
	defer file.Close()
	writes, _ := Forms()
	err = c.send(word{Kind: "state", Form: writes, Bytes: bytes, Descriptors: len(fds)}, int(file.Fd()))
	for len(fds) > 0 && err == nil {
		n := min(len(fds), mostRights)
		err = c.send(word{Kind: "descriptors"}, fds[:n]...)
		fds = fds[n:]
	}
	if err != nil {
		return err
	}
	_, more, err := c.receive("ready")
	closeAll(more)
	return err
}

// seals keep the file as it is: the other side looks at it where it lies.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL

// encode writes the state to a file in memory.
func encode(write func(*form.Coder)) (file *os.File, bytes int64, err error) {
	fd, err := unix.MemfdCreate("kbus-state", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, 0, fmt.Errorf("memory for the state: %w", err)
	}
	file = os.NewFile(uintptr(fd), "kbus-state")
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	writes, _ := Forms()
	coder := form.Writer(writes, func(some []byte) error {
		n, err := file.Write(some)
		bytes += int64(n)
		return err
	})
	write(coder)
	if err = coder.End(); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("memory for the state: %w", err)
	}
	return file, bytes, nil
}

// Go says that the new daemon is the daemon now. With an error it is not.
func (c *Conn) Go() error { return c.send(word{Kind: "go"}) }
