package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// How long a body may take to come: bodyGrace, and a second more for each
// bodyRate bytes that were announced. A real push is there with its headers.
const (
	bodyGrace = 5 * time.Second
	bodyRate  = 128 << 10
)

// bufferHint is the most that is set aside for a body before it is there: a
// length is easily announced.
const bufferHint = 16 << 10

// readBody reads a request's body whole, or answers 413 past the limit and 408
// when it comes too slowly.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	return readBodyIn(w, r, limit, nil)
}

// readBodyIn is readBody for a body that has to ask for room beyond freeBytes;
// more is asked at most once. A nil more never refuses.
func readBodyIn(w http.ResponseWriter, r *http.Request, limit int64, more func() error) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	control := http.NewResponseController(w)
	// A writer that knows no deadlines is a test's: then there are none.
	_ = control.SetReadDeadline(time.Now().Add(bodyGrace + time.Duration(max(r.ContentLength, 0))*time.Second/bodyRate))
	var b bytes.Buffer
	// What is read decides; the length is a hint to size the buffer by.
	if r.ContentLength > 0 {
		b.Grow(int(min(r.ContentLength, bufferHint)) + bytes.MinRead)
	}
	body := http.MaxBytesReader(w, r.Body, limit)
	err := func() error {
		if more == nil {
			_, err := b.ReadFrom(body)
			return err
		}
		if r.ContentLength <= freeBytes {
			n, err := b.ReadFrom(io.LimitReader(body, freeBytes+1))
			if err != nil || n <= freeBytes {
				return err
			}
		}
		if err := more(); err != nil {
			return err
		}
		_, err := b.ReadFrom(body)
		return err
	}()
	if err != nil {
		return nil, unread(err)
	}
	// The server listens on for the sender's going away: that must not end with
	// the time that the body had.
	_ = control.SetReadDeadline(time.Time{})
	return b.Bytes(), nil
}

// unread is the answer to a body that could not be read whole.
func unread(err error) error {
	if h, ok := errors.AsType[*httpError](err); ok {
		return h
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTooSlow
	}
	return &tracking.Error{Code: tracking.Invalid, Message: "the body ended early", Err: err}
}
