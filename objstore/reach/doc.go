// Package reach finds out which objects of a repository commits need.
//
// An [Inventory] lists what the repository holds, sorted: 32 bytes for each
// object, and one bit for whether it was reached. What is written later is on no
// list. Objects have numbers, by kind, for whoever wants to know more about each.
// A [Walker] goes from commits to what they need. Each commit and each dirtree is
// read once, however many lead there, and checked against its name, so that
// damage can't make an object look unneeded.
//
// What parent repositories hold is walked, but it is not in the inventory.
package reach
