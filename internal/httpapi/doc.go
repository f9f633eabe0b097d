// Package httpapi is Waybill's HTTP face: the webhook endpoint, the calls of
// admins and shops, what buyers read, and the probes.
//
// It promises the paths, fields, codes and messages of docs/http-api.md. A
// handler parses, asks a room and answers; it decides nothing. Whatever goes
// wrong is answered in one place, in one shape, and tells no secret.
package httpapi
