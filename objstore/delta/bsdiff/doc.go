// Package bsdiff makes and applies the binary patches that static deltas hold.
//
// A patch is a row of steps, with no header and no compression: three integers of 8 bytes
// (little endian, sign and magnitude), then as many bytes to add to the old content as the first
// says, then as many new bytes as the second says; the third moves the place in the old content.
// The method is Colin Percival's ("Naive differences of executable code"): two regions of the old
// and the new content are joined where they differ in few bytes only, so that moved code whose
// addresses changed becomes a row of mostly zero bytes, which compresses well.
package bsdiff
