// Package page is the page that a browser shows: what is in the folder files, as it stands. It is HTML, CSS and JavaScript of
// our own, without a framework and a step that builds it, and asks for nothing from anywhere else.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed files
var embedded embed.FS

// file is one of them, with what a browser has to know.
type file struct {
	text       []byte
	kind, etag string
}

// kinds are said here, because the machine's own table may say anything.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// Handler serves the files, index.html as "/".
func Handler() http.Handler {
	all := map[string]file{}
	err := fs.WalkDir(embedded, "files", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		sum := sha256.Sum256(text)
		kind := kinds[path.Ext(name)]
		if kind == "" {
			kind = mime.TypeByExtension(path.Ext(name))
		}
		all[strings.TrimPrefix(name, "files")] = file{text, kind, `"` + hex.EncodeToString(sum[:8]) + `"`}
		return err
	})
	if err != nil {
		panic("page: " + err.Error()) // it is in the program
	}
	all["/"] = all["/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "there is nothing to change here", http.StatusMethodNotAllowed)
			return
		}
		f, there := all[r.URL.Path]
		if !there {
			http.Error(w, "there is nothing at "+r.URL.Path+": the page is at /", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", f.kind)
		w.Header().Set("ETag", f.etag)
		w.Header().Set("Cache-Control", "no-cache") // ask each time: another version may run now
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
	})
}
