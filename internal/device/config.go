package device

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/fuse"
)

// Config says what devices are like. It is the same for all buses.
type Config struct {
	Kind         Kind
	Dir          string // where a FUSE device is mounted, as bus<N>
	Link         string // what programs open, without the number of the bus: /dev/kbus
	Mode         fs.FileMode
	Group        int  // -1: as created
	StatAsDevice bool // stat.go
}

// Kind is how a device is made.
type Kind string

// Auto is CUSE where the kernel has it and Link lies in /dev, and FUSE otherwise.
const (
	Auto Kind = "auto"
	CUSE Kind = "cuse"
	FUSE Kind = "fuse"
)

const devDir = "/dev/"

// decide makes FUSE or CUSE of Auto.
func (c *Config) decide() Kind {
	if c.Kind != Auto {
		return c.Kind
	}
	if strings.HasPrefix(c.Link, devDir) && fuse.HasCUSE() {
		return CUSE
	}
	return FUSE
}

// ErrNotAllowed means that this process may not make devices.
var ErrNotAllowed = errors.New("devices need root: CAP_SYS_ADMIN to mount, CAP_SYS_PTRACE to read what messages point at")

// Check says whether this process can make devices.
func (c *Config) Check() error {
	if c.decide() == CUSE && !strings.HasPrefix(c.Link, devDir) {
		return fmt.Errorf("a CUSE device lies in /dev, not at %s", c.Link)
	}
	var have [2]unix.CapUserData
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&head, &have[0]); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_PTRACE // both are below 32
	if have[0].Effective&needed != needed {
		return ErrNotAllowed
	}
	return nil
}
