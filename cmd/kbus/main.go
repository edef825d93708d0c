// Command kbus is everything that a person types to a KBUS bus: it sends and asks, listens and answers, tells who is
// there, explains error numbers, and performs a play. docs/cli.md is its manual.
//
// It uses only what any program can use, the public package kbus, so it is also an example of that; `kbus bench`
// shares its measuring with kbus-bench.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }
