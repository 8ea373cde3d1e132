"""Who makes a call: one provider a module, and the gate that asks them."""
