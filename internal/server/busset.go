package server

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// BusSet is some of the buses: by their numbers, or all, also those that there will be. The zero BusSet has none.
type BusSet struct {
	all     bool
	numbers []int
}

// Has reports whether a bus is among them.
func (b BusSet) Has(bus int) bool { return b.all || slices.Contains(b.numbers, bus) }

// String is as ParseBusSet reads it.
func (b BusSet) String() string {
	switch {
	case b.all:
		return "all"
	case len(b.numbers) == 0:
		return "none"
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(b.numbers), "[]"), " ", ",")
}

// ParseBusSet reads "all", "none", or numbers with commas between.
func ParseBusSet(text string) (b BusSet, err error) {
	switch text {
	case "all":
		return BusSet{all: true}, nil
	case "none":
		return b, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 0 || n >= MaxBuses {
			return BusSet{}, fmt.Errorf("must be all, none, or numbers of buses with commas between, from 0 to %d, not %q",
				MaxBuses-1, text)
		}
		if !slices.Contains(b.numbers, n) {
			b.numbers = append(b.numbers, n)
		}
	}
	sort.Slice(b.numbers, func(i, j int) bool { return b.numbers[i] < b.numbers[j] })
	return b, nil
}
