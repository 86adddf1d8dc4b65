"""The ports every engine offers and every service uses, and the engines themselves."""
