// Package gvariant reads and writes GVariant's serialised form, the encoding
// of every OSTree metadata object.
//
// A [Value] is a type string and the bytes that hold it: nothing is copied and
// nothing is allocated when it is taken apart. [Parse] proves once that the
// bytes are in normal form (offsets ascending and minimal, padding zero,
// strings NUL-terminated UTF-8, no slack); after that no accessor can fail or
// leave the bytes. GLib's reader accepts any bytes and reads defaults where
// they are wrong, which hides attacks; this one refuses them.
//
// Integers are little endian, as GLib writes them on every machine that
// matters. OSTree stores some of them swapped; that is its packages' concern.
//
// Source: the GVariant specification, https://docs.gtk.org/glib/gvariant-specification-1.0.html
package gvariant
