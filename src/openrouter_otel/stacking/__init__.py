"""The bundled stack on its way to where somebody wants it: a folder for Docker Compose, or manifests for Kubernetes."""
