package web

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"sync"
)

// packable is how large a page must be for compressing to save a packet.
const packable = 1400

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// Write answers with a page, compressed for who takes it so: much of a page is
// said twice, to the eye and to the script. Nothing that the asker chose stands
// in it beside a secret, so its length tells nothing.
func Write(w http.ResponseWriter, r *http.Request, status int, page []byte) {
	header := w.Header()
	header.Add("Vary", "Accept-Encoding")
	if len(page) < packable || !acceptsGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("Content-Length", strconv.Itoa(len(page)))
		w.WriteHeader(status)
		_, _ = w.Write(page) // the client is gone if this fails
		return
	}
	header.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	packer := packers.Get().(*gzip.Writer) //nolint:forcetypeassert // nothing else is put there
	defer packers.Put(packer)
	packer.Reset(w)
	_, _ = packer.Write(page)
	_ = packer.Close()
}
