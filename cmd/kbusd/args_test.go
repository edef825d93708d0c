package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
)

// TestArgsAreReadAsByPackageFlag: what people are used to, with other words for what is wrong.
func TestArgsAreReadAsByPackageFlag(t *testing.T) {
	words := []string{"--dir", "-dir", "--dir=x", "-dir=", "--bare", "-bare=no", "--bare=", "x", "-", "--", "", "--=x", "--help", "-h", "--help=x", "--other", "--dir=-", "--dir=a=b"}
	lines := [][]string{nil}
	for range 3 {
		for _, line := range lines {
			for _, w := range words {
				lines = append(lines, append(line[:len(line):len(line)], w))
			}
		}
	}
	type definer interface {
		Func(name, doc string, take func(string) error)
		BoolFunc(name, doc string, take func(string) error)
	}
	read := func(set definer, parse func([]string) error, line []string) (map[string]string, error) {
		got := map[string]string{}
		set.Func("dir", "", func(text string) error { got["dir"] += "," + text; return nil })
		set.BoolFunc("bare", "", func(text string) error {
			got["bare"] += "," + text
			if text == "no" {
				return errors.New("so is it")
			}
			return nil
		})
		return got, parse(line)
	}
	for _, line := range lines {
		set := flag.NewFlagSet("", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		want, wrong := read(set, set.Parse, line)
		if wrong == nil && set.NArg() > 0 {
			wrong = fmt.Errorf("unexpected argument %q", set.Arg(0))
		}
		ours := args{}
		got, err := read(ours, ours.parse, line)
		if !maps.Equal(got, want) || (err == nil) != (wrong == nil) || (err == errHelp) != errors.Is(wrong, flag.ErrHelp) {
			t.Errorf("%q: %v, %v; package flag: %v, %v", line, got, err, want, wrong)
		}
		if err != nil && strings.HasPrefix(wrong.Error(), "unexpected") && err.Error() != wrong.Error() {
			t.Errorf("%q: %v; %v", line, err, wrong)
		}
	}
}
