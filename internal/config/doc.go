// Package config turns the environment into typed settings, and says what is
// wrong with them.
//
// It promises that
//
//   - every setting stands once in [Settings], with its default and a sentence
//     on what it does; the documentation and `waybill doctor` print that table;
//   - Load depends on nothing but the environment it is given and the files
//     that NAME_FILE variables point at;
//   - all problems are reported at once, each with the way to mend it;
//   - no secret leaves the package except through Reveal: printing, logging or
//     encoding a Config in any way shows "set" or "not set".
package config
