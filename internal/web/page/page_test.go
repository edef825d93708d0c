package page

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// refers finds what files ask for: of HTML, of JavaScript, of CSS.
var refers = regexp.MustCompile(`(?:src|href)="([^"#]+)"|from '([^']+)'|import '([^']+)'|url\(([^)]+)\)`)

// Everything that the page asks for is there and has its kind, and nothing is from elsewhere.
func TestPageIsWhole(t *testing.T) {
	handler, found := Handler(), 0
	err := fs.WalkDir(embedded, "files", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range refers.FindAllStringSubmatch(string(text), -1) {
			to := m[1] + m[2] + m[3] + m[4]
			if to == "/metrics" {
				continue
			}
			found++
			at := path.Join(strings.TrimPrefix(path.Dir(name), "files"), to)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/"+strings.TrimPrefix(at, "/"), nil))
			if answer.Code != 200 || answer.Header().Get("Content-Type") != kinds[path.Ext(to)] || answer.Header().Get("ETag") == "" {
				t.Errorf("%s asks for %s: %d, %v", name, to, answer.Code, answer.Header())
			}
		}
		if kinds[path.Ext(name)] == "" {
			t.Errorf("%s has a kind that the table does not know", name)
		}
		if m := regexp.MustCompile(`https?://[a-z0-9.]+`).FindString(string(text)); m != "" && m != "http://www.w3.org" {
			t.Errorf("%s names %s", name, m)
		}
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("%d references: %v", found, err)
	}
}

// Nothing on the page can make elements of text, or run text.
func TestPageMakesNoHTMLOfText(t *testing.T) {
	never := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|setHTML|srcdoc|javascript:`)
	files, err := fs.Glob(embedded, "files/js/*.js")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if m := never.FindString(string(text)); m != "" {
			t.Errorf("%s uses %s", name, m)
		}
		if !strings.HasPrefix(string(text), "// ") {
			t.Errorf("%s does not say at its head what it is for", name)
		}
		if n := strings.Count(string(text), "\n"); n > 300 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}
