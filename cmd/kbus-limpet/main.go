// Command kbus-limpet joins buses: two of them over one stream, or any number. A Limpet is an ordinary client of its
// bus, in a process of its own, so nothing that goes wrong in it or beyond it can take the bus down. It and
// kbus-web are the only programs of KBUS that speak to a network. docs/limpets.md is its manual.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	if filepath.Base(os.Args[0]) == originalName {
		os.Exit(runOriginal(os.Args[1:]))
	}
	os.Exit(run(os.Args[1:]))
}
