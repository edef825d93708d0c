// Package version is the one version of KBUS: of library, daemon and programs, of the C library and the Python package.
// It stands in the file VERSION at the root; `make version` writes it here and where C and Python need it.
package version

// Number is the version as in "0.2.0".
const Number = "0.2.0"

// Built is the version that a program says of itself: Number, or, in packages, what dist/version says, which between
// releases has the commit too. The linker writes it.
var Built = Number
