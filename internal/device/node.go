package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kbus.example/kbus/internal/fuse"
)

// Where a device is. CUSE makes a node in /dev, which is there as long as its connection. FUSE needs a directory to be
// mounted at, and a link to the file in it from the path that programs open.
//
// All of this uses paths that lead around the file system itself. The bus's own loop would have to answer for it, and
// the loop may be the caller.

// Sweep takes away what a killed daemon has left: mounts without a daemon, and the links to them.
func (c *Config) Sweep() {
	dir, err := os.Open(c.Dir)
	if err != nil {
		return
	}
	defer dir.Close()
	left, _ := dir.Readdirnames(-1)
	for _, name := range left {
		digits, ok := strings.CutPrefix(name, mountPrefix)
		number, err := strconv.ParseUint(digits, 10, 32)
		p := node{mount: filepath.Join(c.Dir, name), link: c.Link + digits}
		if ok && err == nil && name == mountName(uint32(number)) && fuse.Stale(p.mount) {
			p.hide()
		}
	}
}

// node is what there is to take away again.
type node struct {
	mount string // "" for CUSE
	link  string // to the file in it
}

// attach makes the device.
func (c *Config) attach(number uint32) (*fuse.Conn, node, error) {
	link := c.Link + strconv.FormatUint(uint64(number), 10)
	if c.decide() == CUSE {
		conn, err := c.attachCUSE(link)
		return conn, node{}, err
	}
	p := node{mount: filepath.Join(c.Dir, mountName(number)), link: link}
	conn, err := p.attachFUSE(number)
	return conn, p, err
}

const mountPrefix = "bus"

func mountName(number uint32) string { return fmt.Sprint(mountPrefix, number) }

func (c *Config) attachCUSE(link string) (*fuse.Conn, error) {
	if err := makeWay(link, ""); err != nil {
		return nil, err
	}
	conn, err := fuse.MakeDevice(strings.TrimPrefix(link, devDir))
	if err != nil {
		return nil, err
	}
	if err = conn.Begin(); err == nil {
		err = os.Chmod(link, c.Mode)
	}
	if err == nil && c.Group >= 0 {
		err = os.Chown(link, -1, c.Group)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("CUSE device: %w", err)
	}
	return conn, nil
}

func (p node) attachFUSE(number uint32) (conn *fuse.Conn, err error) {
	if err := os.MkdirAll(p.mount, 0o755); err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	if conn, err = fuse.Mount(p.mount, "kbus"); err != nil {
		os.Remove(p.mount)
		return nil, err
	}
	if err = conn.Begin(); err == nil {
		err = p.makeLink(filepath.Join(p.mount, fileName(number)))
	}
	if err != nil {
		p.hide()
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (p node) makeLink(to string) error {
	if err := makeWay(p.link, to); err != nil {
		return err
	}
	if err := os.Symlink(to, p.link); err != nil {
		return fmt.Errorf("device: %w", err)
	}
	return nil
}

// makeWay removes a link that leads to ours, or nowhere any more. Whatever else is there is not touched.
func makeWay(link, ours string) error {
	to, err := os.Readlink(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s is in the way and is no link", link)
	case to == ours:
	default:
		if _, err := os.Stat(link); err == nil && !fuse.Stale(link) {
			return fmt.Errorf("%s leads to %s, which is there: does another daemon serve it?", link, to)
		}
	}
	if err := os.Remove(link); err != nil {
		return fmt.Errorf("stale device: %w", err)
	}
	return nil
}

// hide takes the device from where programs find it. Descriptors that are open keep it.
func (p *node) hide() {
	if p.mount == "" {
		return // CUSE, or done before
	}
	if to, err := os.Readlink(p.link); err == nil && filepath.Dir(to) == p.mount {
		os.Remove(p.link)
	}
	_ = fuse.Detach(p.mount) // it may have been unmounted by hand
	os.Remove(p.mount)
	p.mount = ""
}
