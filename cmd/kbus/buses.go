package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// busNumber is the value of --bus.
type busNumber uint32

const lastBus = 255 // R1.2: there are at most 256

func (b *busNumber) String() string { return strconv.FormatUint(uint64(*b), 10) }
func (b *busNumber) Type() string   { return "N" }

func (b *busNumber) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > lastBus {
		return errors.New("buses are numbered from 0 to 255")
	}
	*b = busNumber(n)
	return nil
}

// buses lists the buses that have a socket in the directory, in order. A socket may have been left behind by a daemon
// that was killed.
func (l *line) buses() []uint32 { return busesIn(l.directory()) }

func busesIn(dir string) []uint32 {
	var list []uint32
	entries, _ := os.ReadDir(dir) // no directory, no buses
	for _, e := range entries {
		name, isSocket := strings.CutSuffix(filepath.Base(e.Name()), ".sock")
		number, isBus := strings.CutPrefix(name, "bus")
		n, err := strconv.ParseUint(number, 10, 32)
		if isSocket && isBus && err == nil && n <= lastBus {
			list = append(list, uint32(n))
		}
	}
	slices.Sort(list)
	return list
}
