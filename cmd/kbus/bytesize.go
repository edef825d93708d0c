package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is the value of a flag that takes a number of bytes, with K, M or G for 1024 of them, and so on. As with amount, 0 is
// refused: not to give the flag is how one says that there is no limit.
type byteSize int64

func (b *byteSize) Type() string { return "BYTES" }

func (b *byteSize) String() string {
	for _, unit := range []struct {
		letter string
		size   byteSize
	}{{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}} {
		if *b >= unit.size && *b%unit.size == 0 {
			return strconv.FormatInt(int64(*b/unit.size), 10) + unit.letter
		}
	}
	return ""
}

func (b *byteSize) Set(text string) error {
	digits, shift := text, 0
	if i := strings.IndexAny(text, "KMG"); i >= 0 && i == len(text)-1 {
		digits, shift = text[:i], 10*(1+strings.IndexByte("KMG", text[i]))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return errors.New("a number of bytes from 1 is needed, as 5000, 64K, 100M or 2G")
	}
	*b = byteSize(n << shift)
	return nil
}

// inUnits is a number of bytes for people.
func inUnits(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
