package main

import (
	"errors"
	"strconv"
)

// amount is the value of a flag that takes a number of things. Not to give the flag is how one says "any number", so 0
// is refused.
type amount uint32

func (a *amount) Type() string { return "N" }

// String is empty for what was not given, so that the help shows no default.
func (a *amount) String() string {
	if *a == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*a), 10)
}

func (a *amount) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return errors.New("a number from 1 is needed")
	}
	*a = amount(n)
	return nil
}
