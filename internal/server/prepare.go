package server

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/device"
)

// What a configuration means on this machine: the descriptors that were handed over, and devices.

// given is the descriptors handed over, by bus, until they are in use. There are as many buses as that needs.
func (c *Config) given() (given map[int]int, err error) {
	given = map[int]int{}
	for _, g := range c.Listeners {
		if _, again := given[g.Bus]; again {
			err = fmt.Errorf("two sockets were handed over for bus %d", g.Bus)
			unix.Close(g.FD)
			continue
		}
		given[g.Bus] = g.FD
		c.Buses = max(c.Buses, g.Bus+1)
	}
	return given, err
}

// prepareDevice finds out whether there can be devices, and takes away what a dead daemon has left of its own.
func (config *Config) prepareDevice() (d *device.Config, err error) {
	c := config.Device
	if c.Kind == "off" {
		return nil, nil
	}
	d = &device.Config{
		Kind: device.Kind(c.Kind), Dir: config.Dir, Link: c.Link, Mode: c.Mode, StatAsDevice: c.StatAsDevice,
	}
	if d.Group, err = groupID(c.Group); err != nil {
		return nil, fmt.Errorf("device %w", err)
	}
	err = d.Check()
	if err == nil {
		d.Dir, err = filepath.Abs(d.Dir) // a link leads there
	}
	if err != nil {
		return nil, err
	}
	d.Sweep()
	return d, nil
}
