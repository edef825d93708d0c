package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The recipes for OpenWrt, Yocto and Buildroot cannot be built here, for their build systems cannot be had. What can be seen without
// those is looked at: make reads and expands them with stubs of the includes, shell reads their functions, Kconfig their options.

func recipe(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "dist", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRecipesAreOfThisVersion compares them with VERSION, and LICENSE with what they say of it.
func TestRecipesAreOfThisVersion(t *testing.T) {
	version := strings.TrimSpace(recipe(t, "../VERSION"))
	for path, line := range map[string]string{
		"openwrt/Makefile":    "PKG_VERSION:=" + version,
		"buildroot/kbus.mk":   "KBUS_VERSION = " + version,
		"yocto/kbus.bb":       `PV = "` + version + `"`,
		"buildroot/kbus.hash": "sha256  " + strings.Fields(sh(t, "sha256sum LICENSE"))[0] + "  LICENSE",
	} {
		if !strings.Contains(recipe(t, path), "\n"+line+"\n") {
			t.Errorf("dist/%s lacks the line %q: `make version` writes versions", path, line)
		}
	}
	if sum := strings.Fields(sh(t, "md5sum LICENSE"))[0]; !strings.Contains(recipe(t, "yocto/kbus.bb"), "file://LICENSE;md5="+sum+`"`) {
		t.Errorf("dist/yocto/kbus.bb has another md5 of LICENSE than %s", sum)
	}
}

// TestRecipesNameWhatIsThere looks for each file of the sources that they install or build.
func TestRecipesNameWhatIsThere(t *testing.T) {
	for _, path := range []string{"openwrt/Makefile", "buildroot/kbus.mk", "yocto/kbus.bb"} {
		found := regexp.MustCompile(`(?:\$\(@D\)|\$\{S\}|\$\(PKG_BUILD_DIR\))/((?:dist|bindings)[\w./-]*)`).FindAllStringSubmatch(recipe(t, path), -1)
		if len(found) == 0 {
			t.Errorf("dist/%s installs nothing of the sources", path)
		}
		for _, f := range found {
			if _, err := os.Stat(filepath.Join(top, f[1])); err != nil {
				t.Errorf("dist/%s: %v", path, err)
			}
		}
	}
}

// makes has make expand a recipe with stubs and print variables of it.
func makes(t *testing.T, stub string) string {
	t.Helper()
	c := exec.Command("make", "--no-print-directory", "-n", "-f", stub)
	c.Dir = "testdata"
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestOpenWrt(t *testing.T) {
	out := makes(t, "openwrt/stub.mk")
	for _, want := range []string{"build kbusd", "build kbus", "install -m0755 BIN/kbusd ROOT/usr/bin/", "install -m0600 SOURCE/dist/kbusd.toml ROOT/etc/kbus/kbusd.toml"} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%q is not done:\n%s", want, out)
		}
	}
	sh(t, "sh -n dist/openwrt/files/kbusd.init")
}

func TestBuildroot(t *testing.T) {
	out := makes(t, "buildroot/stub.mk")
	for _, want := range []string{"build cmd/kbusd cmd/kbus", "install -m 0755 ./c/libkbus.so.1 TARGET/usr/lib/", "install -m 0644 ./dist/kbusd.toml TARGET/etc/kbus/kbusd.toml"} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%q is not done:\n%s", want, out)
		}
	}
	c := exec.Command("/usr/bin/python3", "-c", `
import kconfiglib, sys
k = kconfiglib.Kconfig(sys.argv[1], warn_to_stderr=False)
assert not k.warnings, k.warnings
k.syms["BR2_PACKAGE_KBUS"].set_value(2)
print([k.syms["BR2_PACKAGE_KBUS" + s].str_value for s in ("", "_TOOLS", "_LIBRARY")])`, "testdata/buildroot/Config.in")
	c.Env = append(os.Environ(), "srctree=")
	if said, err := c.CombinedOutput(); strings.Contains(string(said), "No module named") && os.Getenv("CI") != "true" {
		t.Skip("python3-kconfiglib is missing: test/needs packages installs it")
	} else if err != nil || string(said) != "['y', 'y', 'n']\n" {
		t.Errorf("%v: %s", err, said)
	}
}

// TestYocto reads what of the recipe is shell, and its assignments.
func TestYocto(t *testing.T) {
	text := recipe(t, "yocto/kbus.bb")
	functions := regexp.MustCompile(`(?ms)^(do_\w+)\(\) \{\n.*?^\}\n`).FindAllString(text, -1)
	if len(functions) != 2 {
		t.Errorf("it has %d functions, not 2", len(functions))
	}
	for _, f := range functions {
		sh(t, `printf '%s' "$1" | sh -n`, f)
		text = strings.Replace(text, f, "", 1)
	}
	known := regexp.MustCompile(`^(#.*|inherit [\w -]+|[\w:$\{\}-]+(\[\w+\])? (\+|=\+)?=\+? ".*"|)$`)
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); !known.MatchString(line) {
			t.Errorf("%q is no assignment", line)
		}
	}
}
