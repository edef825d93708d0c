package device

import (
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/fuse"
	"kbus.example/kbus/message"
)

// The directory that a bus is mounted as: the device, and the two reports of the bus beside it. A CUSE device stands
// alone, and its OPEN names no node.
const (
	noNode      = 0
	rootNode    = fuse.Root
	deviceNode  = 2
	bindingNode = 3
	statsNode   = 4
	charNode    = 5 // the device again, as stat shows it (stat.go)
)

const (
	rootMode   = unix.S_IFDIR | 0o755
	reportMode = unix.S_IFREG | 0o444
)

// nodes is what is known of the files. Only the device can be changed, by chmod and chown.
type nodes struct {
	device  fuse.Attr
	entries []fuse.Entry
	asked   bool // stat shows a character device
}

func newNodes(c Config, number uint32) nodes {
	gid := uint32(os.Getegid())
	if c.Group >= 0 {
		gid = uint32(c.Group)
	}
	return nodes{
		device: fuse.Attr{
			Node: deviceNode, Mode: unix.S_IFREG | uint32(c.Mode.Perm()), Links: 1,
			UID: uint32(os.Geteuid()), GID: gid, Seconds: uint64(time.Now().Unix()),
		},
		entries: []fuse.Entry{
			{Node: rootNode, Mode: rootMode, Name: "."},
			{Node: rootNode, Mode: rootMode, Name: ".."},
			{Node: deviceNode, Mode: unix.S_IFREG, Name: fileName(number)},
			{Node: bindingNode, Mode: reportMode, Name: "bindings"},
			{Node: statsNode, Mode: reportMode, Name: "stats"},
		},
		asked: c.StatAsDevice,
	}
}

// fileName is what the device is called, in the directory of its bus too.
func fileName(number uint32) string { return fmt.Sprintf("kbus%d", number) }

// Lookup, Attr, SetAttr, Entries and Open are part of fuse.Files.

func (d *Device) Lookup(who fuse.Caller, directory uint64, name []byte) (fuse.Attr, unix.Errno) {
	if directory != rootNode {
		return fuse.Attr{}, unix.ENOTDIR
	}
	for _, e := range d.nodes.entries {
		if e.Name != string(name) {
			continue
		}
		a, errno := d.Attr(e.Node)
		if e.Node == deviceNode && d.nodes.asked {
			if callsStat(who.TID) {
				a, errno = d.Attr(charNode)
			}
			a.Fleeting = true
		}
		return a, errno
	}
	return fuse.Attr{}, unix.ENOENT
}

func (d *Device) Attr(node uint64) (a fuse.Attr, e unix.Errno) {
	a = d.nodes.device
	a.Node = node
	switch node {
	case rootNode:
		a.Mode, a.Links, a.UID, a.GID = rootMode, 2, uint32(os.Geteuid()), uint32(os.Getegid())
	case deviceNode:
	case charNode:
		a.Mode = a.Mode&^unix.S_IFMT | unix.S_IFCHR
	case bindingNode, statsNode:
		a.Mode, a.UID, a.GID = reportMode, uint32(os.Geteuid()), uint32(os.Getegid())
	default:
		return fuse.Attr{}, unix.ENOENT
	}
	return a, 0
}

func (d *Device) SetAttr(node uint64, to fuse.SetAttr) (fuse.Attr, unix.Errno) {
	a := &d.nodes.device
	switch {
	case to == fuse.SetAttr{}: // a length or a time, which are always what they are
	case node != deviceNode && node != charNode:
		return fuse.Attr{}, unix.EPERM
	}
	if to.Mode != nil {
		a.Mode = unix.S_IFREG | *to.Mode&uint32(fs.ModePerm)
	}
	if to.UID != nil {
		a.UID = *to.UID
	}
	if to.GID != nil {
		a.GID = *to.GID
	}
	return d.Attr(node)
}

func (d *Device) Entries(directory uint64) ([]fuse.Entry, unix.Errno) {
	if directory != rootNode {
		return nil, unix.ENOTDIR
	}
	return d.nodes.entries, 0
}

func (d *Device) Open(who fuse.Caller, node uint64, flags uint32) (handle uint64, seekable bool, e unix.Errno) {
	if d.closed {
		return 0, false, message.ErrStopping.Errno()
	}
	visitor, c := d.owner.Admit(who.TID, who.UID, who.GID)
	if c != message.OK {
		return 0, false, c.Errno()
	}
	var o opened
	switch node {
	case deviceNode, charNode, noNode:
		if o, c = d.openKsock(visitor, flags); c != message.OK {
			visitor.Refused(c)
			visitor.Leave()
			return 0, false, c.Errno()
		}
		return d.keep(o), false, 0
	case bindingNode:
		o = &report{device: d, visitor: visitor}
	case statsNode:
		o = &report{device: d, visitor: visitor, isStats: true}
	default:
		visitor.Leave()
		return 0, false, unix.ENOENT
	}
	return d.keep(o), true, 0
}
